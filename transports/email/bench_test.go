package email

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkRender reads each mail of testdata/in: MB/s of raw mail.
func BenchmarkRender(b *testing.B) {
	paths, err := filepath.Glob("testdata/in/*.eml")
	if err != nil || len(paths) == 0 {
		b.Fatal(paths, err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(filepath.Base(path), func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				Render(raw, domain, today)
			}
		})
	}
}
