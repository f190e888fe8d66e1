from .notices import MAIL_OPEN, Notice, NotificationPreference
from .tokens import PartnerToken
from .webhooks import Webhook, WebhookDelivery, new_salt

__all__ = ["MAIL_OPEN", "Notice", "NotificationPreference", "PartnerToken", "Webhook", "WebhookDelivery", "new_salt"]
