"""What runs the networks: torch, or the same network as an ONNX file in OpenVINO, ONNX Runtime or TensorRT."""
