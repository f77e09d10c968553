package config

import (
	"encoding"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decoder copies values of a document into structs and collects everything that does not fit.
type decoder struct {
	doc      *document
	src      sources
	places   map[string]string // where a key belongs that was written somewhere else
	errs     []*Error
	warnings []*Error
}

func isSecret(t reflect.Type) bool   { return t == reflect.TypeFor[Secret]() }
func isDuration(t reflect.Type) bool { return t == reflect.TypeFor[time.Duration]() }
func isBytes(t reflect.Type) bool    { return t == reflect.TypeFor[[]byte]() }

func (d *decoder) fail(path []string, why, next string) {
	d.errs = append(d.errs, d.doc.errorf(path, why, next))
}

// decode copies a table into the struct that into points to, but for the keys to skip.
func (d *decoder) decode(path []string, table map[string]any, into any, skip ...string) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		d.fail(path, fmt.Sprintf("cannot be decoded into a %T: it must be a pointer to a struct", into), "report this as a bug")
		return
	}
	d.structure(path, table, v.Elem(), skip...)
}

func (d *decoder) structure(path []string, table map[string]any, dst reflect.Value, skip ...string) {
	fields := make(map[string]reflect.Value)
	collectFields(dst, fields)
	for _, key := range slices.Sorted(maps.Keys(table)) {
		at := append(slices.Clone(path), key)
		field, ok := fields[key]
		if !ok && slices.Contains(skip, key) {
			continue
		}
		if !ok {
			known := append(slices.Collect(maps.Keys(fields)), skip...)
			d.fail(at, "unknown key", d.meant(key, known))
			continue
		}
		d.value(at, table[key], field)
	}
}

// meant says what an unknown key probably was to be.
func (d *decoder) meant(key string, known []string) string {
	if s := nearest(key, known); s != "" {
		return "did you mean " + strconv.Quote(s) + "?"
	}
	if place := d.places[key]; place != "" {
		return "it belongs " + place
	}
	slices.Sort(known)
	return "known here: " + strings.Join(known, ", ")
}

// collectFields adds the settable fields of a struct by their keys: the toml tag, or the name in lower case.
func collectFields(v reflect.Value, into map[string]reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		switch {
		case tag == "-":
		case f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct:
			collectFields(v.Field(i), into)
		case !f.IsExported():
		case tag != "":
			into[tag] = v.Field(i)
		default:
			into[strings.ToLower(f.Name)] = v.Field(i)
		}
	}
}

// value copies one value, of whatever type, or says why it cannot.
func (d *decoder) value(path []string, v any, dst reflect.Value) {
	if d.secret(path, v, dst) {
		return
	}
	if r, ok := v.(*resolved); ok {
		v = r.table // the target is not a text, so that it is an ordinary table
	}
	if dst.Kind() == reflect.Pointer {
		fresh := reflect.New(dst.Type().Elem())
		d.value(path, v, fresh.Elem())
		dst.Set(fresh)
		return
	}
	if text, ok := v.(string); ok && d.text(path, text, dst) {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if d.table(path, v, dst) {
			return
		}
	case []any:
		if dst.Kind() == reflect.Slice && !isBytes(dst.Type()) {
			d.list(path, v, dst)
			return
		}
	}
	if !setScalar(v, dst) {
		d.fail(path, "must be "+expected(dst.Type())+", not "+found(v), "")
	}
}

// secret handles what only a text can be: a Secret, and the forms that say where one is. The gateway's own plain texts
// have no such form: they are repeated in messages. A transport has no other type for its secrets.
func (d *decoder) secret(path []string, v any, dst reflect.Value) bool {
	isText := dst.Kind() == reflect.String || isBytes(dst.Type())
	if !isText && !isSecret(dst.Type()) {
		return false
	}
	var s Secret
	switch v := v.(type) {
	case *resolved:
		switch {
		case isText && d.places != nil:
			d.fail(path, "is not a secret, and is shown in messages", "write its text here")
			return true
		case v.problem != nil:
			d.fail(path, v.problem.Why, v.problem.Next)
			return true
		}
		s = v.secret
	case string:
		if isText {
			return false
		}
		if v == "" {
			d.fail(path, "is empty", "write the secret, or { file = \"...\" }, { env = \"...\" } or { credential = \"...\" }")
			return true
		}
		s = NewSecret(v)
	default:
		if isSecret(dst.Type()) {
			d.fail(path, "must be text in quotes, { file = \"...\" }, { env = \"...\" } or { credential = \"...\" }, not "+found(v), "")
		}
		return isSecret(dst.Type())
	}
	switch {
	case isSecret(dst.Type()):
		dst.Set(reflect.ValueOf(s))
	case dst.Kind() == reflect.String:
		dst.SetString(s.Reveal())
	default:
		dst.SetBytes([]byte(s.Reveal()))
	}
	return true
}

// text handles what is written as a text but is more than that: durations, and types that read themselves.
func (d *decoder) text(path []string, text string, dst reflect.Value) bool {
	if isDuration(dst.Type()) {
		n, err := time.ParseDuration(text)
		if err != nil {
			d.fail(path, strconv.Quote(text)+" is not a duration", "write a number and a unit, as in \"90s\", \"15m\" or \"24h\"")
			return true
		}
		dst.SetInt(int64(n))
		return true
	}
	if u, ok := dst.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(text)); err != nil {
			d.fail(path, err.Error(), "")
		}
		return true
	}
	if isBytes(dst.Type()) {
		dst.SetBytes([]byte(text))
		return true
	}
	return false
}

func (d *decoder) table(path []string, t map[string]any, dst reflect.Value) bool {
	switch {
	case dst.Kind() == reflect.Struct:
		d.structure(path, t, dst)
		return true
	case dst.Kind() == reflect.Map && dst.Type().Key().Kind() == reflect.String:
		m := reflect.MakeMapWithSize(dst.Type(), len(t))
		for _, key := range slices.Sorted(maps.Keys(t)) {
			element := reflect.New(dst.Type().Elem()).Elem()
			d.value(append(slices.Clone(path), key), t[key], element)
			m.SetMapIndex(reflect.ValueOf(key).Convert(dst.Type().Key()), element)
		}
		dst.Set(m)
		return true
	}
	return false
}

func (d *decoder) list(path []string, values []any, dst reflect.Value) {
	s := reflect.MakeSlice(dst.Type(), len(values), len(values))
	for i, v := range values {
		d.value(append(slices.Clone(path), strconv.Itoa(i)), v, s.Index(i))
	}
	dst.Set(s)
}

// setScalar sets dst if v is of a kind that fits it without loss.
func setScalar(v any, dst reflect.Value) bool {
	switch n := v.(type) {
	case int64:
		switch {
		case isDuration(dst.Type()): // a number without a unit is a guess
			return false
		case dst.CanInt() && !dst.OverflowInt(n):
			dst.SetInt(n)
			return true
		case dst.CanUint() && n >= 0 && !dst.OverflowUint(uint64(n)):
			dst.SetUint(uint64(n))
			return true
		case dst.CanFloat():
			dst.SetFloat(float64(n))
			return true
		}
		return false
	case float64:
		if !dst.CanFloat() || math.IsNaN(n) || math.IsInf(n, 0) {
			return false
		}
		dst.SetFloat(n)
		return true
	case string:
		if dst.Kind() == reflect.String {
			dst.SetString(n)
			return true
		}
	case bool:
		if dst.Kind() == reflect.Bool {
			dst.SetBool(n)
			return true
		}
	}
	if _, ok := v.(bool); ok || v == nil || dst.Kind() == reflect.Interface || !reflect.TypeOf(v).AssignableTo(dst.Type()) {
		return false
	}
	dst.Set(reflect.ValueOf(v)) // dates and times
	return true
}

// expected says in the words of a person who writes a file what a Go type is read from.
func expected(t reflect.Type) string {
	switch {
	case isDuration(t):
		return "a duration in quotes, as in \"30s\""
	case t.Kind() == reflect.String || isBytes(t) || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return "text in quotes"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number that is not negative"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list in [ ]"
	case reflect.Struct, reflect.Map:
		return "a table"
	}
	return "something that this program cannot hold (" + t.String() + ")"
}

// found says what a value is, without repeating it: it may be a secret at the wrong place.
func found(v any) string {
	switch v := v.(type) {
	case string:
		return "text"
	case int64:
		return "the number " + strconv.FormatInt(v, 10)
	case float64:
		return "the number " + strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case []any:
		return "a list"
	case map[string]any, *resolved:
		return "a table"
	}
	return "a date or time"
}
