package vcard

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
)

const logoSize = 48 // pixels

// drawLogo makes the picture of a gateway: a coloured disc with the sign of the
// kind of network, as a PNG of a few hundred bytes. It is the same every time.
func drawLogo(typ string) []byte {
	ground, sign := logoOf(typ)
	palette := color.Palette{color.NRGBA{}, ground, color.NRGBA{255, 255, 255, 255}}
	img := image.NewPaletted(image.Rect(0, 0, logoSize, logoSize), palette)
	const middle = float64(logoSize-1) / 2
	for y := range logoSize {
		for x := range logoSize {
			dx, dy := (float64(x)-middle)/middle, (float64(y)-middle)/middle
			switch {
			case math.Hypot(dx, dy) > 1:
			case sign(dx, dy):
				img.SetColorIndex(x, y, 2)
			default:
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if png.Encode(&b, img) != nil {
		return nil // a buffer takes everything
	}
	return b.Bytes()
}

// logoOf is the colour and the sign of a kind of network; x and y go from -1 to 1.
func logoOf(typ string) (color.NRGBA, func(x, y float64) bool) {
	switch typ {
	case "smtp": // an envelope
		return color.NRGBA{0x1f, 0x6f, 0xb5, 255}, func(x, y float64) bool {
			inside := math.Abs(x) < 0.62 && math.Abs(y) < 0.42
			flap := math.Abs(y+0.42-math.Abs(0.62-math.Abs(x))*0.7) < 0.06
			return inside && !flap
		}
	case "sms": // a telephone
		return color.NRGBA{0x2e, 0x8b, 0x57, 255}, func(x, y float64) bool {
			body := math.Abs(x) < 0.36 && math.Abs(y) < 0.66
			screen := math.Abs(x) < 0.26 && y > -0.5 && y < 0.34
			return body && !screen
		}
	case "irc": // a number sign
		return color.NRGBA{0x7a, 0x3e, 0x9d, 255}, func(x, y float64) bool {
			bar := func(v float64) bool { return math.Abs(math.Abs(v)-0.2) < 0.07 }
			return math.Abs(x) < 0.6 && math.Abs(y) < 0.6 && (bar(x) || bar(y))
		}
	}
	return color.NRGBA{0x55, 0x5f, 0x6b, 255}, func(x, y float64) bool { return math.Hypot(x, y) < 0.4 }
}
