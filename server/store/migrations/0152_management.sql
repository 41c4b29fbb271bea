-- Whether the last inventory found a BMC: "present", "absent", "virtual" (absent, on a machine that has no use for one), "unknown". Made with the
-- facts, because the sweep for issues would unpack all of them again and again.
alter table machine_search add column management text not null generated always as (
  case
    when facts ? 'bmc' then 'present'
    when not facts @? '$.collectors[*] ? (@.name == "bmc" && @.state == "absent")' then 'unknown'
    when facts @? '$.cpus[0].flags[*] ? (@ == "hypervisor")' then 'virtual'
    when coalesce(facts #>> '{system,manufacturer}', '') || ' ' || coalesce(facts #>> '{system,product}', '')
      ~ 'qemu|kvm|vmware|virtualbox|innotek|virtual machine|xen|bochs|bhyve|parallels|openstack|amazon ec2|google compute|digitalocean'
      then 'virtual'
    else 'absent'
  end
) stored;
