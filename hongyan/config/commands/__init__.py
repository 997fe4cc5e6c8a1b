"""The administrator's commands, a file each."""
