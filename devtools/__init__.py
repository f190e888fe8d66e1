"""What dev.py is made of: the environment, the embedded servers, the supervisor.

Standard library only, because dev.py has to work before anything is installed.
"""
