package chaos

// pool has a budget that no chaos uses up, and short pauses.
const pool = `
apiVersion: genode-operator.io/v1alpha1
kind: TargetPool
metadata: {name: victims}
spec:
  replicas: 3
  template:
    metadata: {labels: {pool: victims}}
    spec:
      qemu:
        preset: linux-x86
        boot:
          kernel: {path: /guest/vmlinuz}
          initrd: {path: /guest/initrd.gz}
          append: console=ttyS0 quiet panic=-1 tsc=unstable no_timer_check nokaslr mitigations=off refguest.control=3002
        network: {ports: [3001, 3002]}
      restart: {limit: 1000, backoffBaseMilliseconds: 100, backoffMaxSeconds: 1}
`

// campaign has variants of about two seconds each.
const campaign = `
apiVersion: genode-operator.io/v1alpha1
kind: TaskSet
metadata: {name: survivor}
spec:
  tasks:
  - {name: hello, pkg: hey, periodMilliseconds: 1000, criticalTimeMilliseconds: 800}
  sweeps:
  - {task: hello, attribute: executionTimeMilliseconds, range: {from: 1, to: %d}}
  completion: {jobsPerTask: 2}
  retries: {limit: 100}
  targets: {selector: {matchLabels: {pool: victims}}}
`
