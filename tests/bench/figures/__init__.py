"""The figures, one file each: `FIGURES` says what is promised, `measure` what is so."""
