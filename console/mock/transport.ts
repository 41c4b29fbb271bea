import {createRouterTransport, type ConnectRouter, type Transport} from '@connectrpc/connect';
import {addBuilds} from './builds.ts';
import {addEvents} from './events.ts';
import {addImageTests} from './image-tests.ts';
import {addImages} from './images.ts';
import {addMachines} from './machines.ts';
import {addOperations} from './operations.ts';
import {addSessions} from './sessions.ts';

/** A noun of the mock server: adds its handlers. */
export type MockNoun = (router: ConnectRouter) => void;

/**
 * A server made of plain functions, one file per noun: for component tests, and for `npm run --workspace console dev` with `?mock`. What is
 * not added answers UNIMPLEMENTED. Failures are provoked by values ("fail" as an id), not by intercepting the network.
 */
export const createMockTransport = (...nouns: readonly MockNoun[]): Transport =>
  createRouterTransport(router => {
    for (const add of nouns.length > 0 ? nouns : all) add(router);
  });

const all: readonly MockNoun[] = [
  addSessions,
  addMachines,
  addEvents,
  addBuilds,
  addImages,
  addImageTests,
  addOperations,
];
