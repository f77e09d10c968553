package core_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gangway/core"
)

// everything can do all that a session may be able to do.
type everything struct {
	core.Session
	core.Rooms
	core.Moderation
	core.Banner
	core.Inviter
	core.Configurer
	core.RoomLister
	core.TypingSender
	core.ReadMarker
	core.PresenceSetter
	core.Editor
	core.Retractor
	core.Reactor
	core.ContactLister
	core.Profiler
	core.Querier
	core.Reporter
	core.Reconciler
}

func TestCapsOfFindsEveryCapability(t *testing.T) {
	caps := reflect.ValueOf(core.CapsOf(&everything{}))
	for i := range caps.NumField() {
		if caps.Field(i).IsNil() {
			t.Errorf("CapsOf does not ask for %s", caps.Type().Field(i).Name)
		}
	}
	none := reflect.ValueOf(core.CapsOf(nil))
	for i := range none.NumField() {
		if !none.Field(i).IsNil() {
			t.Errorf("CapsOf(nil) claims %s", none.Type().Field(i).Name)
		}
	}
	if core.CapsOf((*everything)(nil)).Rooms == nil {
		t.Error("a nil pointer of a session's type must tell what its sessions can do")
	}
}

// TestNoCapabilityForgotten holds capability.go to its own rule: each interface there is a field of Caps or of
// TransportCaps, and nothing else in the module asserts one.
func TestNoCapabilityForgotten(t *testing.T) {
	root := moduleRoot(t)
	names := interfacesOf(t, filepath.Join(root, "core", "capability.go"))
	if len(names) < 10 {
		t.Fatalf("found only %v", names)
	}
	fields := map[string]bool{}
	for _, typ := range []reflect.Type{reflect.TypeFor[core.Caps](), reflect.TypeFor[core.TransportCaps]()} {
		for i := range typ.NumField() {
			fields[typ.Field(i).Type.Name()] = true
		}
	}
	for _, name := range names {
		if !fields[name] {
			t.Errorf("%s is in neither Caps nor TransportCaps", name)
		}
	}
	for pkg, files := range goFiles(t, root) {
		for _, file := range files {
			name := filepath.Join(root, pkg, file)
			if strings.HasSuffix(file, "_test.go") || pkg == "core" && file == "capability.go" {
				continue
			}
			if got := assertions(t, name, nil, names); len(got) > 0 {
				t.Errorf("%s/%s asserts %v: ask CapsOf", pkg, file, got)
			}
		}
	}
}

func TestNoCapabilityForgottenBites(t *testing.T) {
	const src = `package x
func f(s core.Session) { _, _ = s.(core.Rooms); switch s.(type) { case core.Editor: } }`
	got := assertions(t, "planted.go", []byte(src), []string{"Rooms", "Editor", "Reactor"})
	if !slices.Equal(got, []string{"Rooms", "Editor"}) {
		t.Errorf("found %v in the planted code", got)
	}
}

func interfacesOf(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			if _, ok := spec.Type.(*ast.InterfaceType); ok {
				names = append(names, spec.Name.Name)
			}
		}
		return true
	})
	return names
}

// assertions returns the capabilities that a file asks a value for.
func assertions(t *testing.T, file string, src any, names []string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	look := func(e ast.Expr) {
		name := ""
		switch e := e.(type) {
		case *ast.Ident:
			name = e.Name
		case *ast.SelectorExpr:
			if id, ok := e.X.(*ast.Ident); ok && id.Name == "core" {
				name = e.Sel.Name
			}
		}
		if slices.Contains(names, name) {
			found = append(found, name)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeAssertExpr:
			if n.Type != nil {
				look(n.Type)
			}
		case *ast.TypeSwitchStmt:
			for _, c := range n.Body.List {
				for _, e := range c.(*ast.CaseClause).List {
					look(e)
				}
			}
		}
		return true
	})
	return found
}
