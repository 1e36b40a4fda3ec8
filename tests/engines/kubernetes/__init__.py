"""A Kubernetes cluster for tests, from programs we built: a control plane on this machine and nodes in network namespaces of their own."""
