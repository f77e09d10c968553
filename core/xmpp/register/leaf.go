package register

import (
	"strconv"

	"gangway/core"
)

// more is the answer that turns a list's page.
const more = "more"

// A list of any length is shown page by page. Each page asks its own field, so that the answers say by themselves how
// far the user has leafed, and "back" works as everywhere.

// leafed is the page of a list that the user is on, from 0, and what they have answered there; "" if nothing.
func leafed(answers map[string]string, name string) (page int, answer string) {
	for answers[onPage(name, page)] == more {
		page++
	}
	return page, answers[onPage(name, page)]
}

// onPage is the name of a field on a page.
func onPage(name string, page int) string {
	if page == 0 {
		return name
	}
	return name + strconv.Itoa(page+1)
}

// leaf offers to turn the page, where there is another one.
func leaf(options []core.Option, further bool) []core.Option {
	if !further {
		return options
	}
	return append([]core.Option{{Value: more, Label: "see more"}}, options...)
}

// pageOf is a page of what is all there, each of size, and whether there is a further one.
func pageOf[T any](all []T, page, size int) (some []T, further bool) {
	from := min(page*size, len(all))
	to := min(from+size, len(all))
	return all[from:to], to < len(all)
}
