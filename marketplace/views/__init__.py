"""The pages of the marketplace: the shop, the seller's desk, the moderators' queue, and preferences."""
