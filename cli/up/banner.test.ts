import test from 'ava';
import {renderBanner} from './banner.ts';

const render = (hasConsole: boolean) =>
  renderBanner({
    config: {serverPort: 8090, edgePort: 8081, tftpPort: 69, dataFolder: '/var/lib/muster'},
    addresses: ['10.0.0.5', '192.0.2.7'],
    hasConsole,
    setupPath: '/setup#muster_setup_x',
    coloured: false,
  });

test('the console is named where people look for the setup link, when there is one', t => {
  const banner = render(true);
  t.regex(banner, /^ {2}console {2}http:\/\/10\.0\.0\.5:8090\/ {3}http:\/\/192\.0\.2\.7:8090\/$/m);
  t.regex(banner, /^ {4}http:\/\/10\.0\.0\.5:8090\/setup#muster_setup_x$/m);
  t.false(render(false).includes('console'));
});
