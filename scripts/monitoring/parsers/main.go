// Reads dashboards as Grafana does, by its own schema: `go run . FILE…`. A member or a type that the schema does not know is an error.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins() // what panels and queries of each type have of their own
	failed := false
	for _, file := range os.Args[1:] {
		text, err := os.ReadFile(file)
		if err == nil {
			read := dashboard.Dashboard{}
			if err = read.UnmarshalJSONStrict(text); err == nil {
				err = read.Validate()
			}
		}
		// @NOTE the SDK hands an empty list of faults in a query on as a fault without words.
		if err != nil && err.Error() != "" {
			fmt.Printf("%s: %s\n", file, err)
			failed = true
		}
	}
	if failed || len(os.Args) < 2 {
		os.Exit(1)
	}
}
