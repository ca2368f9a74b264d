"""A slow, obvious flow engine in plain Python: what every other engine's answers are compared with.

It imports nothing of the product. It keeps no totals: at each instant it looks at every fact of every item again.

facts        projects, workflows, facts
questions    buckets, modes, the clock that asks
definitions  which name, category and order hold at an instant
items        one item's places, transitions and visits
boards       who is where at an instant
movements    transitions with the categories on both sides
series       one value per bucket, null where nothing is known
flow         the cumulative flow diagram
corrections  correction windows
completion   throughput and the state graph
aging        work in progress and how old it is
churn        what came back, was given up, was added on the way
validation   waits for a validation
durations    time in states, cycle time by four policies, lead time, flow efficiency
identities   the laws that all of it keeps
laws         the sizes that the product's identities are about
"""
