# Two images:
#
#   docker build --target manager -t REGISTRY/manager:TAG .
#   docker build --target runner  -t REGISTRY/runner:TAG  .     after "make guest"
#
# manager: one static program on nothing. runner: the agent, QEMU, and the reference guest with its task
# binaries; target pods run it. Both run as any user, with a read-only root, without capabilities.

ARG GO_VERSION=1.26
ARG DEBIAN=bookworm-slim

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-bookworm AS build
ARG TARGETOS=linux
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY api api
COPY cmd cmd
COPY controllers controllers
COPY internal internal
ENV CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false" GOOS=${TARGETOS} GOARCH=${TARGETARCH}
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    mkdir /out && go build -ldflags "-s -w" -o /out/ ./cmd/manager ./cmd/agent
# Certificates for downloads of task binaries, and a folder for temporary files.
RUN mkdir -m 1777 /out/tmp

FROM scratch AS manager
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/tmp /tmp
COPY --from=build /out/manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]

FROM debian:${DEBIAN} AS runner
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
       ca-certificates qemu-system-x86 qemu-system-arm qemu-system-misc qemu-utils \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/agent /agent
# The reference guest and its task binaries are for linux-x86 targets; Genode images come from users.
COPY .cache/guest/vmlinuz .cache/guest/initrd.gz /guest/
COPY .cache/tasks/ /binaries/
USER 65534:65534
ENTRYPOINT ["/agent"]
