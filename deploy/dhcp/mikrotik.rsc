# MikroTik RouterOS 7.16 or newer: sends machines to Muster's edge. Write the edge's address for 192.0.2.1, the name of your DHCP
# server for "dhcp1" and of its pool for "pool1". The first matcher that fits wins, so iPXE must stay first.
# From RouterOS's manual ("DHCP", option matcher); the other recipes here are checked by their own servers, this one cannot be.

/ip dhcp-server option
add name=muster-tftp-server code=66 value="s'192.0.2.1'"
add name=muster-script code=67 value="s'http://192.0.2.1:8081/boot.ipxe'"
add name=muster-uefi-loader code=67 value="s'snponly.efi'"
add name=muster-bios-loader code=67 value="s'undionly.kpxe'"
add name=muster-http-class code=60 value="s'HTTPClient'"
add name=muster-http-loader code=67 value="s'http://192.0.2.1:8081/loaders/snponly.efi'"

/ip dhcp-server option sets
add name=muster-ipxe options=muster-script
add name=muster-uefi options=muster-tftp-server,muster-uefi-loader
add name=muster-uefi-http options=muster-http-class,muster-http-loader
add name=muster-bios options=muster-tftp-server,muster-bios-loader

/ip dhcp-server matcher
add name=muster-ipxe server=dhcp1 address-pool=pool1 code=77 matching-type=exact value="iPXE" option-set=muster-ipxe
add name=muster-uefi-http server=dhcp1 address-pool=pool1 code=60 matching-type=substring value="HTTPClient" option-set=muster-uefi-http
add name=muster-uefi server=dhcp1 address-pool=pool1 code=93 matching-type=exact value="0x0007" option-set=muster-uefi
add name=muster-uefi-bc server=dhcp1 address-pool=pool1 code=93 matching-type=exact value="0x0009" option-set=muster-uefi
add name=muster-bios server=dhcp1 address-pool=pool1 code=93 matching-type=exact value="0x0000" option-set=muster-bios

# Some firmware reads the TFTP server from the packet's header only.
/ip dhcp-server network
set [find] next-server=192.0.2.1
