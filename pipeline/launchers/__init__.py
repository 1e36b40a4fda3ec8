"""Where workers live, one file each, on top of adapters. Knows the channel's ends, not what travels there."""
