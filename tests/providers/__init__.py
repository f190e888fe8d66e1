"""A stand-in for the providers: real HTTP on loopback, every format, and misbehaviour on demand.

All it answers is synthetic. In a test: `with Simulator() as simulator:`; as a process of its own:
`python -m tests.providers.simulator --port 0`, which prints its PROVIDER_URLS and takes changes over HTTP.
"""
