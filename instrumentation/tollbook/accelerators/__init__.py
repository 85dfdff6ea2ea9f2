"""Samples of accelerators: what drivers, `nvidia-smi` and exporters tell, as metrics under OpenTelemetry's names."""
