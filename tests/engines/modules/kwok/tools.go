//go:build tools

// Package tools pins the program that is built from this module; nothing imports it.
package tools

import _ "sigs.k8s.io/kwok/cmd/kwok"
