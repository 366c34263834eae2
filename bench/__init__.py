"""The figures: ``make bench`` prints one table. Nothing here is a test, and no test looks at the clock."""
