"""Who is told: subscriptions, and the change notifications they bring (Graph: change-notifications-overview)."""
