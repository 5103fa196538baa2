"""The detector that comes with storepulse lies here: `facings.onnx`, with its model card."""
