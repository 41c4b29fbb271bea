import process from 'node:process';
import {registerCompletionHandler} from 'ava';

// Node 26.10 now and then spins for ever while it frees a process whose event loop has ended (uv_run in CleanupHandles, seen after many sockets
// that the other end had closed). AVA waits for that process without a limit; an exit of our own skips the clean-up.
registerCompletionHandler(() => {
  process.exit();
});
