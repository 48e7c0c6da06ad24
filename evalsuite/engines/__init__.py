"""Language models behind one protocol over token ids (``evalsuite.types.Engine``)."""
