"""Work beside the screen: questions to the engine, files, TensorBoard."""
