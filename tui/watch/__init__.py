"""`ravine watch`: the curves of any TensorBoard logs, live."""
