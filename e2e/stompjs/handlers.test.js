import { testHandlers } from './handlers.js';
import { Peer } from './peer.js';

testHandlers('WebSocket', (server, options) => Peer.connect(server, options), { binary: true });
