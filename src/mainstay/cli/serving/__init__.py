"""The server process: sockets, protocol, start, reload and end."""
