"""The paper broker's wire: it answers the broker's own requests with the broker's own documents."""
