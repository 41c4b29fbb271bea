import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type Search as SearchMessage,
  SearchSchema,
  type SearchService,
} from '@muster/proto/gen/muster/v1/searches_pb.ts';
import type {SavedSearches, SearchCaller} from '../domain/saved-searches.ts';
import type {SavedSearch} from '../store/saved-searches.ts';
import {type Caller, callerKey} from './caller.ts';
import {required} from './required.ts';

export const searchService = (searches: SavedSearches): ServiceImpl<typeof SearchService> => ({
  async listSearches(_request, {values}) {
    const found = await searches.list(callerOf(values.get(callerKey)));
    return {searches: found.map(toSearchMessage)};
  },

  async getSearch({id}, {values}) {
    return {search: toSearchMessage(await searches.get(callerOf(values.get(callerKey)), id))};
  },

  async saveSearch({search}, {values}) {
    const {name, filter, orderBy, shared} = required(search, 'a search');
    const wanted = {name, filter: filter.trim(), orderBy: orderBy.trim(), shared};
    const saved = await searches.save(callerOf(values.get(callerKey)), wanted);
    return {search: toSearchMessage(saved)};
  },

  async deleteSearch({id}, {values}) {
    await searches.delete(callerOf(values.get(callerKey)), id);
    return {};
  },
});

const callerOf = ({name, role}: Caller): SearchCaller => ({
  name,
  seesShared: role !== 'member',
  mayShare: role === 'operator' || role === 'admin',
});

function toSearchMessage({owner, createTime, ...same}: SavedSearch): SearchMessage {
  return create(SearchSchema, {
    ...same,
    shared: owner === '',
    createTime: timestampFromDate(createTime),
  });
}
