//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/genode-operator/genode-operator/internal/refguest/image"
)

func imageCommand() *cobra.Command {
	o := image.Options{}
	cmd := &cobra.Command{
		Use:   "image --out DIR",
		Short: "Build kernel and initramfs of the reference guest from Debian packages",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Binary == "" {
				self, err := os.Executable()
				if err != nil {
					return err
				}
				o.Binary = self
			}
			o.Log = console(0)
			if _, err := image.Build(cmd.Context(), o); err != nil {
				return err
			}
			fmt.Printf("-kernel %s -initrd %s -append \"%s\"\n",
				filepath.Join(o.Out, image.KernelFile), filepath.Join(o.Out, image.InitrdFile), image.Append)
			return nil
		},
	}
	cmd.Flags().StringVar(&o.Out, "out", "", "folder for vmlinuz and initrd.gz")
	cmd.Flags().StringVar(&o.Binary, "binary", "", "static refguest that becomes the guest's init; default: this program")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}
