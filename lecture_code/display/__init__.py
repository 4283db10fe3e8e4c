"""What a cell shows: evidence, tables, figures, explorables; and the ledger of statements."""
