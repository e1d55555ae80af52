// The published clients for Go do the checklist, by the contract in ../README.md.
package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
)

// check fails by a panic.
type check struct {
	name string
	run  func()
}

func main() {
	known := slices.Concat(graphChecks, signInChecks)
	byName := map[string]check{}
	for _, one := range known {
		byName[one.name] = one
	}
	asked := known
	if len(os.Args) > 1 {
		asked = nil
		for _, name := range os.Args[1:] {
			one, ok := byName[name]
			if !ok {
				fmt.Fprintf(os.Stderr, "unknown: %s; known are %v\n", name, slices.Sorted(maps.Keys(byName)))
				os.Exit(2)
			}
			asked = append(asked, one)
		}
	}
	failed := false
	for _, one := range asked {
		if err := attempt(one.run); err != nil {
			failed = true
			reason := strings.Join(strings.Fields(err.Error()), " ")
			fmt.Printf("not ok %s: %s\n", one.name, reason[:min(len(reason), 300)])
		} else {
			fmt.Printf("ok %s\n", one.name)
		}
	}
	if failed {
		os.Exit(1)
	}
}

func attempt(run func()) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s\n", thrown, debug.Stack())
			err = fmt.Errorf("%v", thrown)
		}
	}()
	run()
	return nil
}

// same fails unless the two are equal.
func same(found, wanted any) {
	if !reflect.DeepEqual(found, wanted) {
		panic(fmt.Errorf("found %v, wanted %v", found, wanted))
	}
}

// refused is the error of this type that a call must have ended with.
func refused[E error](err error) E {
	var typed E
	if err == nil {
		panic(errors.New("not refused"))
	}
	if !errors.As(err, &typed) {
		panic(err)
	}
	return typed
}
