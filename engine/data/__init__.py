"""Any table in, honestly prepared.

    sources ──▶ Table ──▶ prepare ──▶ Prepared (train / validation / test, Encoder, Normalizer, TargetScale)

`sources.load` reads a built-in set, a generator, a file or a person's own function into a `Table`. `prepare.prepare`
turns it into arrays, with everything that is fitted seeing train rows only.
"""
