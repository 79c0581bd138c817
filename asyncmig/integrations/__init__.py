"""asyncmig inside other software: ASGI applications, logging, OpenTelemetry."""
