"""Section 2: the pages that are the same for everybody."""

import hashlib
import json
import re
import time

from conformance import PLAIN, UNCACHED, Conformance
from transports import TRANSPORTS

SERVICES = ["/echo", "/close", "/disabled_websocket_echo", "/cookie_needed_echo"]
# Of the page, trimmed, with `@` in place of the url of the script.
IFRAME_PAGE = "5cf5b85d09c7a66c8c143665badfd8b8274fbc9f6f8e01dda11b7a9314d856c5"


class Greeting(Conformance):
    def test_is_the_same_text_at_every_base_with_and_without_slash_and_query(self):
        for service in SERVICES:
            for path in [service, service + "/", service + "?y=1", service + "/?y=1"]:
                with self.subTest(path):
                    response, body = self.get(path)
                    self.assertEqual((response.status, body), (200, b"Welcome to SockJS!\n"))
                    self.assertEqual(response.header("content-type"), PLAIN)
                    self.assertEqual(response.all("set-cookie"), [])

    def test_has_its_length_or_is_one_chunk_and_the_connection_stays(self):
        connection = self.connect()
        for _ in range(3):
            response = connection.request("GET", self.url("/echo"))
            self.assertTrue(response.keeps_alive)
            if response.chunked:
                self.assertEqual(response.chunk(), b"Welcome to SockJS!\n")
                self.assertEqual(response.chunk(), b"")
            else:
                self.assertEqual(response.header("content-length"), "19")
                self.assertEqual(response.body(), b"Welcome to SockJS!\n")


class UnknownPaths(Conformance):
    def test_are_not_found(self):
        for service in SERVICES:
            for path in ["/a", "/a.html", "//", "///", "/a/a", "/a/a/", "/a/", "/a/a/a/a/a", "/info/a", "/xhr"]:
                with self.subTest(service + path):
                    response, _ = self.get(service + path)
                    self.assertEqual(response.status, 404)

    def test_are_not_found_behind_no_service(self):
        for path in ["/", "/ech", "/echoo", "/echoo/info", "/Echo/info"]:
            with self.subTest(path):
                self.assertEqual(self.get(path)[0].status, 404)

    def test_are_not_found_with_post_whatever_the_body(self):
        for path in ["/a", "/a/a", "/a/a/a"]:
            with self.subTest(path):
                self.assertEqual(self.post("/echo" + path, body='["x"]')[0].status, 404)


class WrongMethods(Conformance):
    def assert_not_allowed(self, method, path):
        with self.subTest(method=method, path=path):
            response, body = self.request(method, path)
            self.assertEqual((response.status, body), (405, b""))
            self.assertTrue(response.header("allow"))
            self.assertNotIn(method, re.split(r"\s*,\s*", response.header("allow")))
            self.assertIsNone(response.header("content-type"))

    def test_are_refused_on_fixed_pages(self):
        for path in ["", "/", "/info", "/iframe.html"]:
            for method in ["POST", "PUT", "DELETE"]:
                self.assert_not_allowed(method, "/echo" + path)

    def test_are_refused_on_transports(self):
        for transport in TRANSPORTS:
            wrong = "POST" if transport.method == "GET" else "GET"
            for method in [wrong, "PUT", "DELETE"]:
                self.assert_not_allowed(method, "/echo/000/wrong-method" + transport.path)
        for name in ["xhr_send", "jsonp_send"]:
            self.assert_not_allowed("GET", "/echo/000/wrong-method/" + name)

    def test_are_refused_on_websocket(self):
        for path in ["/websocket", "/000/wrong-method/websocket"]:
            self.assert_not_allowed("POST", "/echo" + path)

    def test_leave_the_connection_usable(self):
        connection = self.connect()
        for _ in range(2):
            response = connection.request("POST", self.url("/echo/websocket"))
            self.assertEqual((response.status, response.body()), (405, b""))
            if not response.keeps_alive:
                return


class IframePage(Conformance):
    NAMES = ["", "-a", "-", "-0.1.2", "-0.1.2abc-dirty.2144", "_x", "."]

    def test_is_the_page_byte_for_byte_but_for_the_url_of_the_script(self):
        _, body = self.get("/echo/iframe.html")
        script = re.search(rb'src="([^"]*)"', body)
        self.assertRegex(script[1].decode(), "^(/|http)")
        page = body.strip().replace(script[1], b"@", 1)
        self.assertEqual(hashlib.sha256(page).hexdigest(), IFRAME_PAGE, body.decode())

    def test_is_the_same_under_every_name_and_query(self):
        _, page = self.get("/echo/iframe.html")
        for name in self.NAMES:
            for query in ["", "?t=qweqweqw123", "?"]:
                with self.subTest(name + query):
                    response, body = self.get(f"/echo/iframe{name}.html{query}")
                    self.assertEqual((response.status, body), (200, page))

    def test_is_cached_for_long_and_sets_no_cookie(self):
        for service in ["/echo", "/cookie_needed_echo"]:
            response, _ = self.get(service + "/iframe.html")
            self.assertEqual(response.header("content-type"), "text/html; charset=UTF-8")
            self.assertIn("public", response.header("cache-control"))
            self.assertRegex(response.header("cache-control"), r"max-age=[1-9]\d{6,}")
            self.assertRegex(response.header("expires"), r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
            self.assertTrue(response.header("etag"))
            self.assertIsNone(response.header("last-modified"))
            self.assertEqual(response.all("set-cookie"), [])

    def test_is_not_sent_again_to_who_has_it(self):
        tag = self.get("/echo/iframe.html")[0].header("etag")
        for name in self.NAMES:
            connection = self.connect()
            response = connection.request("GET", self.url(f"/echo/iframe{name}.html"), [("If-None-Match", tag)])
            self.assertEqual((response.status, response.body()), (304, b""))
            self.assertIsNone(response.header("content-type"))
            if response.keeps_alive:
                self.assertEqual(connection.request("GET", self.url("/echo/info")).status, 200)

    def test_is_sent_to_who_has_another(self):
        response, body = self.get("/echo/iframe.html", headers=[("If-None-Match", '"another"')])
        self.assertEqual(response.status, 200)
        self.assertTrue(body)

    def test_is_not_found_under_other_names(self):
        for name in ["/iframe", "/iframe.htm", "/iframe.xml", "/IFRAME.HTML", "/IFRAME", "/iframe.HTML",
                     "/iframe-A.html", "/iframe-/.html", "/iframe-%41.html", "/iframe~.html", "/iframe.html/a"]:
            with self.subTest(name):
                self.assertEqual(self.get("/echo" + name)[0].status, 404)


class Info(Conformance):
    def info(self, service):
        response, body = self.get(service + "/info")
        self.assertEqual(response.status, 200)
        return response, json.loads(body)

    def test_tells_what_the_service_offers(self):
        for service in SERVICES:
            with self.subTest(service):
                response, info = self.info(service)
                self.assertEqual(response.header("content-type"), "application/json; charset=UTF-8")
                self.assertEqual(info.pop("origins"), ["*:*"])
                self.assertIs(info.pop("websocket"), service != "/disabled_websocket_echo")
                self.assertIs(info.pop("cookie_needed"), service == "/cookie_needed_echo")
                entropy = info.pop("entropy")
                self.assertIs(type(entropy), int)
                self.assertTrue(0 <= entropy < 2**32, entropy)
                info.pop("base_url", None)
                self.assertEqual(info, {})

    def test_has_fresh_entropy_each_time(self):
        values = {self.info("/echo")[1]["entropy"] for _ in range(20)}
        self.assertGreater(len(values), 18)
        self.assertGreater(max(values), 2**28)

    def test_is_neither_cached_nor_sets_a_cookie(self):
        for service in SERVICES:
            response, _ = self.info(service)
            self.assertEqual(response.header("cache-control"), UNCACHED)
            self.assertIsNone(response.header("expires"))
            self.assertIsNone(response.header("last-modified"))
            self.assertEqual(response.all("set-cookie"), [])

    def test_ignores_a_query_and_a_trailing_slash(self):
        for path in ["/info?y=1", "/info?", "/info/", "/info?a/b?c=d%zz"]:
            with self.subTest(path):
                self.assertEqual(self.get("/echo" + path)[0].status, 200)

    def test_is_answered_fast_since_the_client_derives_its_patience_from_it(self):
        connection = self.connect()
        times = []
        for _ in range(10):
            started = time.monotonic()
            connection.request("GET", self.url("/echo/info")).body()
            times.append(time.monotonic() - started)
        self.assertLess(sorted(times)[5], 0.1, times)
