import test from 'ava';
import {moduleSelection, selectModules} from './modules.ts';

const lists = {
  dependencies: `kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko: kernel/drivers/ptp/ptp.ko kernel/drivers/pps/pps_core.ko
kernel/drivers/ptp/ptp.ko: kernel/drivers/pps/pps_core.ko
kernel/drivers/pps/pps_core.ko:
kernel/drivers/net/virtio_net.ko: kernel/net/core/failover.ko
kernel/net/core/failover.ko:
kernel/drivers/net/virtio_net_other.ko:
kernel/sound/soundcore.ko:
kernel/lib/crc32c-soft.ko:
`,
  aliases: '',
  softDependencies: '# Soft dependencies\nsoftdep virtio_net pre: crc32c-soft\n',
};

test('modules come with hard and soft dependencies, and nothing else comes', t => {
  t.deepEqual(selectModules(lists, ['drivers/net/virtio_net.ko']), [
    'kernel/drivers/net/virtio_net.ko',
    'kernel/lib/crc32c-soft.ko',
    'kernel/net/core/failover.ko',
  ]);
  t.deepEqual(selectModules(lists, ['drivers/net/ethernet/']), [
    'kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko',
    'kernel/drivers/pps/pps_core.ko',
    'kernel/drivers/ptp/ptp.ko',
  ]);
  t.deepEqual(selectModules(lists, ['drivers/nothing/']), []);
});

test('only a registration image for real hardware looks at disks and sensors', t => {
  t.true(moduleSelection('full', 'registration').includes('drivers/ata/'));
  t.false(moduleSelection('full', 'machine').includes('drivers/ata/'));
  t.false(moduleSelection('virtual', 'registration').includes('drivers/ata/'));
});
