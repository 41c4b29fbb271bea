// The Debian packages that each npm script needs, and why. Read by scripts/prepare.js before anything is installed, so: plain
// JavaScript for Node 20. `provides` is the file that shows that it is there: a bare name is looked for in the PATH, a name with
// "lib" before ".so" in the library folders, an absolute path as it is. `unpack` names the files and folders of a package that are copied out
// of it instead of installing it, because its installation would start a daemon.

/** Where files of unpacked packages lie. */
export const toolsFolder = '/var/lib/muster/tools';

const node = [
  {package: 'libatomic1', provides: 'libatomic.so.1', why: 'Node 26 is linked with it'},
  {
    package: 'ca-certificates',
    provides: '/etc/ssl/certs/ca-certificates.crt',
    why: 'certificates of package mirrors and registries',
  },
];

const supervisor = [
  {package: 'util-linux', provides: 'setpriv', why: 'lets no child process outlive its parent'},
  {package: 'passwd', provides: 'useradd', why: 'makes the system user that PostgreSQL runs as'},
];

const nats = [
  {
    package: 'nats-server',
    provides: `${toolsFolder}/nats-server`,
    unpack: {'usr/sbin/nats-server': 'nats-server', 'usr/bin/nats-server': 'nats-server'},
    why: 'the message bus; its package would start a server of its own',
  },
];

const loaders = [
  {
    package: 'ipxe',
    provides: '/usr/lib/ipxe/snponly.efi',
    why: 'the boot loaders that the edge serves',
  },
];

const builder = [
  {package: 'mmdebstrap', provides: 'mmdebstrap', why: 'makes the root file systems of images'},
  {package: 'squashfs-tools', provides: 'mksquashfs', why: 'packs root file systems'},
  {package: 'zstd', provides: 'zstd', why: 'compresses initrds'},
  {package: 'xz-utils', provides: 'xz', why: 'unpacks Debian packages'},
  {package: 'cpio', provides: 'cpio', why: 'packs initrds'},
  {package: 'busybox-static', provides: 'busybox', why: 'the shell and tools of initrds'},
  {package: 'kmod', provides: 'depmod', why: 'indexes the kernel modules of images'},
  {
    package: 'binutils',
    provides: 'strip',
    why: 'strips the node binary of images: 33 MB less each',
  },
];

const virtualMachines = [
  {
    package: 'qemu-system-x86',
    provides: 'qemu-system-x86_64',
    why: 'boots every image before it is used, and the machines of the lab',
  },
  {
    package: 'ovmf',
    provides: '/usr/share/OVMF/OVMF_CODE_4M.fd',
    why: 'UEFI firmware for those machines',
  },
  {
    package: 'ipxe-qemu',
    provides: '/usr/lib/ipxe/qemu/pxe-virtio.rom',
    why: 'network boot ROM of those machines',
  },
];

const site = [
  {package: 'iproute2', provides: 'ip', why: 'the network of the lab, in a namespace of its own'},
  {
    package: 'dnsmasq-base',
    provides: 'dnsmasq',
    why: "the lab's DHCP server; the -base package starts none on this host",
  },
];

const independentClients = [
  {package: 'curl', provides: 'curl', why: 'an independent HTTP and TFTP client'},
  {package: 'tftp-hpa', provides: 'tftp', why: 'an independent TFTP client'},
];

const nix = [
  {
    package: 'nix-bin',
    provides: 'nix',
    why: 'builds and checks NixOS configurations; its package brings no daemon. A builder uses the Nix that its host has',
  },
  {package: 'jq', provides: 'jq', why: 'NixOS images read their boot files with it'},
];

const clientLanguages = [
  {package: 'python3', provides: 'python3', why: 'runs the client that is generated for Python'},
  {
    package: 'python3-venv',
    provides: '/usr/lib/python3.11/ensurepip/__init__.py',
    why: 'gives that client packages of its own',
  },
  {package: 'golang-go', provides: 'go', why: 'builds the client that is generated for Go'},
];

const benchBases = [
  {
    package: 'nginx',
    provides: `${toolsFolder}/nginx`,
    unpack: {'usr/sbin/nginx': 'nginx'},
    why: 'the base of the benchmark; its package would start a server',
  },
  {package: 'libpcre2-8-0', provides: 'libpcre2-8.so.0', why: 'that nginx is linked with it'},
  {package: 'libssl3', provides: 'libssl.so.3', why: 'that nginx is linked with it'},
  {package: 'wrk', provides: 'wrk', why: 'the load of the benchmark'},
];

const dhcpServers = [
  {
    package: 'isc-dhcp-server',
    provides: `${toolsFolder}/dhcpd`,
    unpack: {'usr/sbin/dhcpd': 'dhcpd'},
    why: 'checks the recipe for ISC dhcpd; its package would start a server',
  },
  {
    package: 'kea-dhcp4-server',
    provides: `${toolsFolder}/kea/kea-dhcp4`,
    unpack: {'usr/sbin/kea-dhcp4': 'kea/kea-dhcp4'},
    why: 'checks the recipe for Kea; its package would start a server',
  },
  {
    package: 'kea-common',
    provides: `${toolsFolder}/kea/lib`,
    unpack: {'usr/lib/x86_64-linux-gnu': 'kea/lib'},
    why: 'the libraries of that Kea',
  },
  {package: 'liblog4cplus-2.0.5', provides: 'liblog4cplus-2.0.so.3', why: 'a library of Kea'},
  {package: 'libmariadb3', provides: 'libmariadb.so.3', why: 'a library of Kea'},
  {package: 'libpq5', provides: 'libpq.so.5', why: 'a library of Kea'},
];

const monitoring = [
  {
    package: 'prometheus',
    provides: `${toolsFolder}/prometheus`,
    unpack: {'usr/bin/prometheus': 'prometheus', 'usr/bin/promtool': 'promtool'},
    why: 'scrapes the metrics and checks rules and alerts; its package would start a server',
  },
];

const browsers = [
  {package: 'chromium', provides: 'chromium', why: 'opens the console in tests, as people do'},
  {
    package: 'fonts-dejavu-core',
    provides: '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
    why: 'letters for that browser',
  },
];

const up = [...node, ...supervisor, ...nats, ...loaders, ...builder, ...virtualMachines];

const test = [
  ...up,
  ...site,
  ...independentClients,
  ...clientLanguages,
  ...dhcpServers,
  ...monitoring,
  ...nix,
  ...browsers,
];

/** By npm script. */
export const packages = {
  up,
  lab: [...node, ...supervisor, ...virtualMachines, ...site],
  test,
  bench: [...test, ...benchBases],
  check: node,
};
