"""The live board: a page at / that shows everybody's presence as it changes (docs/board.md)."""
