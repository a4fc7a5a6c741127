"""The paper broker: a pure engine that speaks the real broker's wire on your own machine."""
