"""The virtual drive: a device server and a medium of its own. It shares no judgement with the agent that drives it."""
