// The parsers of the programs that read our sets, for scripts/check-sets.ts: what they refuse, this refuses with exit code 1.
//
//	parsers compose FILE PROFILE…   the project as Docker Compose understands it, as JSON
//	parsers kustomize FOLDER        what `kubectl apply -k` would send, as JSON; ServiceMonitors are decoded strictly on the way
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/cli"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) >= 2 && args[0] == "compose":
		return compose(args[1], args[2:])
	case len(args) == 2 && args[0] == "kustomize":
		return kustomize(args[1])
	}
	return fmt.Errorf("usage: parsers compose FILE PROFILE… | kustomize FOLDER")
}

// Of the environment only the file .env beside the set counts: it has to be complete.
func compose(file string, profiles []string) error {
	dir := filepath.Dir(file)
	options, err := cli.NewProjectOptions([]string{file},
		cli.WithWorkingDirectory(dir),
		cli.WithEnvFiles(filepath.Join(dir, ".env")),
		cli.WithDotEnv,
		cli.WithProfiles(profiles),
		cli.WithInterpolation(true),
	)
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	if err := project.CheckContainerNameUnicity(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(project)
}

func kustomize(folder string) error {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return err
	}
	for _, resource := range resources.Resources() {
		if resource.GetKind() != "ServiceMonitor" {
			continue
		}
		text, err := resource.AsYAML()
		if err != nil {
			return err
		}
		if err := yaml.UnmarshalStrict(text, &monitoring.ServiceMonitor{}); err != nil {
			return fmt.Errorf("ServiceMonitor %s: %w", resource.GetName(), err)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(resources.Resources())
}
