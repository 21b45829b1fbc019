"""Section 3: caching, origins, preflight, the cookie for load balancers."""

import json
import re

from conformance import UNCACHED, Conformance
from transports import EVENTSOURCE, TRANSPORTS, XHR, XHR_STREAMING

ORIGIN = "http://www.example.com:8080"
FORM = [("Content-Type", "application/x-www-form-urlencoded")]
# Those that a script of another origin may call.
SHARED = [("GET", "/echo/info"), ("POST", "{}/xhr"), ("POST", "{}/xhr_streaming"), ("POST", "{}/xhr_send")]
PREFLIGHTS = ["/echo/info"] + ["/echo/000/preflight/" + name for name in ["xhr", "xhr_streaming", "xhr_send"]]


class HeadCase(Conformance):
    def head(self, method, path, headers=(), body=None, service="/echo"):
        """The head of the response to a request, within an open session where the path has a gap for one."""
        if "{}" in path:
            session = self.session(service)
            if path.endswith("_send"):
                session.opened()
            path = path.format(session.path)
        if path.endswith("xhr_send"):
            body = '["x"]'
        connection = self.connect()
        return connection.request(method, self.url(path), headers, body)


class Caching(HeadCase):
    def assert_uncached(self, response):
        self.assertIn(response.status, (200, 204))
        self.assertEqual(response.header("cache-control"), UNCACHED)
        self.assertIsNone(response.header("expires"))
        self.assertIsNone(response.header("last-modified"))

    def test_of_what_listens_is_forbidden(self):
        for transport in TRANSPORTS:
            with self.subTest(transport.name):
                self.assert_uncached(self.session().listen(transport).response)

    def test_of_info_and_of_answers_to_what_is_sent_is_forbidden(self):
        self.assert_uncached(self.head("GET", "/echo/info"))
        self.assert_uncached(self.head("POST", "{}/xhr_send"))
        self.assert_uncached(self.head("POST", "{}/jsonp_send", FORM, "d=[]"))


class Cors(HeadCase):
    def test_echoes_the_origin_with_credentials(self):
        for method, path in SHARED:
            for origin in [ORIGIN, "null", "https://b.example"]:
                with self.subTest(path=path, origin=origin):
                    response = self.head(method, path, [("Origin", origin)])
                    self.assertEqual(response.header("access-control-allow-origin"), origin)
                    self.assertEqual(response.header("access-control-allow-credentials"), "true")
                    self.assertRegex(response.header("vary"), "(?i)\\borigin\\b")

    def test_lets_everybody_without_credentials_where_no_origin_is_named(self):
        for method, path in SHARED:
            with self.subTest(path):
                response = self.head(method, path)
                self.assertEqual(response.header("access-control-allow-origin"), "*")
                self.assertIsNone(response.header("access-control-allow-credentials"))

    def test_holds_for_eventsource_as_well(self):
        response = self.session().listen(EVENTSOURCE, headers=[("Origin", ORIGIN)]).response
        self.assertEqual(response.header("access-control-allow-origin"), ORIGIN)
        self.assertEqual(response.header("access-control-allow-credentials"), "true")
        response = self.session().listen(EVENTSOURCE).response
        self.assertEqual(response.header("access-control-allow-origin"), "*")

    def test_echoes_the_headers_that_are_asked_for(self):
        for method, path in SHARED:
            with self.subTest(path):
                response = self.head(method, path, [("Access-Control-Request-Headers", "a, b, c")])
                self.assertEqual(response.header("access-control-allow-headers"), "a, b, c")

    def test_names_no_headers_where_none_are_asked_for(self):
        for method, path in SHARED:
            for headers in [[], [("Access-Control-Request-Headers", "")]]:
                with self.subTest(path=path, headers=headers):
                    response = self.head(method, path, headers)
                    self.assertIsNone(response.header("access-control-allow-headers"))

    def test_holds_for_the_rest_of_a_session(self):
        session = self.session().opened()
        session.send("x")
        listener = session.listen(XHR, headers=[("Origin", "null")])
        self.assertEqual(listener.response.header("access-control-allow-origin"), "null")
        self.assertEqual(listener.frame(), 'a["x"]')


class Preflight(Conformance):
    def preflight(self, path, headers=()):
        response, body = self.request("OPTIONS", path, headers=headers)
        self.assertIn(response.status, (200, 204))
        self.assertEqual(body, b"")
        return response

    def test_allows_the_methods_and_is_cached_for_a_year(self):
        for path in PREFLIGHTS:
            with self.subTest(path):
                response = self.preflight(path, [("Origin", ORIGIN)])
                allowed = response.header("access-control-allow-methods")
                self.assertIn("OPTIONS, GET" if path.endswith("info") else "OPTIONS, POST", allowed)
                self.assertIn("public", response.header("cache-control"))
                age = int(re.search(r"max-age=(\d+)", response.header("cache-control"))[1])
                self.assertGreaterEqual(age, 365 * 24 * 3600)
                self.assertTrue(response.header("expires"))
                self.assertGreater(int(response.header("access-control-max-age")), 1_000_000)

    def test_echoes_the_origin_and_the_headers_asked_for(self):
        for path in PREFLIGHTS:
            for origin in [ORIGIN, "null"]:
                with self.subTest(path=path, origin=origin):
                    asked = [("Access-Control-Request-Headers", "x-a,x-b"), ("Access-Control-Request-Method", "POST")]
                    response = self.preflight(path, [("Origin", origin), *asked])
                    self.assertEqual(response.header("access-control-allow-origin"), origin)
                    self.assertEqual(response.header("access-control-allow-credentials"), "true")
                    self.assertEqual(response.header("access-control-allow-headers"), "x-a,x-b")

    def test_without_an_origin_allows_everybody(self):
        for path in PREFLIGHTS:
            with self.subTest(path):
                response = self.preflight(path)
                self.assertEqual(response.header("access-control-allow-origin"), "*")
                self.assertIsNone(response.header("access-control-allow-credentials"))
                self.assertIsNone(response.header("access-control-allow-headers"))

    def test_creates_no_session(self):
        session = self.session()
        for name in ["/xhr", "/xhr_streaming", "/xhr_send"]:
            self.preflight(session.path + name, [("Origin", ORIGIN)])
        self.assertFalse(session.exists())

    def test_leaves_the_connection_usable(self):
        connection = self.connect()
        for path in PREFLIGHTS:
            response = connection.request("OPTIONS", self.url(path))
            self.assertTrue(response.keeps_alive)
            self.assertEqual(response.body(), b"")
        self.assertEqual(json.loads(connection.request("GET", self.url("/echo/info")).body())["origins"], ["*:*"])


class SessionCookie(HeadCase):
    """JSESSIONID, by which load balancers keep a client on one server. Other cookies are the server's own affair."""

    SERVICE = "/cookie_needed_echo"

    def cookies(self, response):
        cookies = [value.split(";") for value in response.all("set-cookie")]
        return [[part.strip() for part in cookie] for cookie in cookies if cookie[0].startswith("JSESSIONID=")]

    def responses(self, service, headers=()):
        for transport in TRANSPORTS:
            yield transport.name, self.session(service).listen(transport, headers=headers).response
        yield "xhr_send", self.head("POST", "{}/xhr_send", headers, service=service)
        yield "jsonp_send", self.head("POST", "{}/jsonp_send", [*FORM, *headers], "d=[]", service)

    def test_is_a_dummy_for_who_has_none(self):
        for name, response in self.responses(self.SERVICE):
            with self.subTest(name):
                self.assertEqual([cookie[:2] for cookie in self.cookies(response)], [["JSESSIONID=dummy", "path=/"]])

    def test_stays_what_it_was(self):
        for sent in ["JSESSIONID=abcdef", "a=b; JSESSIONID=abcdef; c=d"]:
            for name, response in self.responses(self.SERVICE, [("Cookie", sent)]):
                with self.subTest(name, sent=sent):
                    cookies = [cookie[:2] for cookie in self.cookies(response)]
                    self.assertEqual(cookies, [["JSESSIONID=abcdef", "path=/"]])

    def test_is_absent_where_the_service_has_it_off(self):
        for name, response in self.responses("/echo", [("Cookie", "JSESSIONID=abcdef")]):
            with self.subTest(name):
                self.assertEqual(self.cookies(response), [])

    def test_is_set_by_no_fixed_page(self):
        for path in ["", "/", "/info", "/iframe.html"]:
            response, _ = self.get(self.SERVICE + path, headers=[("Cookie", "JSESSIONID=abcdef")])
            self.assertEqual(response.all("set-cookie"), [])

    def test_does_not_keep_a_session_from_working(self):
        session = self.session(self.SERVICE)
        listener = session.listen(XHR_STREAMING, headers=[("Cookie", "JSESSIONID=abcdef")])
        self.assertEqual(listener.frame(), "o")
        session.send("x")
        self.assertEqual(listener.frame(), 'a["x"]')
