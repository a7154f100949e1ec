"""Files to frames and samples and back (PyAV): exact timestamps, any length, constant memory."""
