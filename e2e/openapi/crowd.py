"""Clients of STOMP that stay connected, so that the API has something to tell of and somebody to disconnect."""

import selectors
import socket
import threading

# How many; each name but the last has two sessions, and who has none is nobody.
LOGINS = ["ada", "ada", "bob", "bob", "a/b c", None, None, "cy"]

SUBSCRIPTIONS = ["/topic/prices", "/topic/prices.*", "/user/queue/news", "/queue/orders", "/temp-queue/answers"]


class Crowd:
    """Connected until the `with` block ends; whoever is disconnected comes again."""

    def __init__(self, address):
        self._address = address
        self._selector = selectors.DefaultSelector()
        self._ended, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._run)

    def _connect(self, login):
        client = socket.create_connection(self._address)
        name = f"login:{login}\n" if login else ""
        frames = [f"CONNECT\naccept-version:1.2\nhost:x\n{name}\n\0"]
        for number, destination in enumerate(SUBSCRIPTIONS):
            frames.append(f"SUBSCRIBE\nid:sub-{number}\ndestination:{destination}\n\n\0")
        client.sendall("".join(frames).encode())
        self._selector.register(client, selectors.EVENT_READ, login)

    def _run(self):
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._ended:
                    return
                try:
                    came = key.fileobj.recv(65536)
                except ConnectionError:
                    came = b""
                if not came:
                    self._selector.unregister(key.fileobj)
                    key.fileobj.close()
                    self._connect(key.data)

    def __enter__(self):
        self._selector.register(self._ended, selectors.EVENT_READ)
        for login in LOGINS:
            self._connect(login)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.close()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()
