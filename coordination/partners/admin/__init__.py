from . import notices, tokens, webhooks

__all__ = ["notices", "tokens", "webhooks"]
