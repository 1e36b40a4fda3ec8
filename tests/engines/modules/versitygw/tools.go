//go:build tools

// Package tools pins the program that is built from this module; nothing imports it.
package tools

import _ "github.com/versity/versitygw/cmd/versitygw"
