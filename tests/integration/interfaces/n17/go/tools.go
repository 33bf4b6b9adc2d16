//go:build tools

// Keeps h2spec among the requirements of this module, so that go.mod and go.sum pin what it is built from.
package main

import _ "github.com/summerwind/h2spec/cmd/h2spec"
