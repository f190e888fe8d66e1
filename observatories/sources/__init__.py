"""Where facts about places come from: one package per provider."""
