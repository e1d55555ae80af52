package main

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// browser is a person without one: it fills in the forms of the sign-in page, and follows no redirection.
type browser struct{ http.Client }

func newBrowser() *browser {
	never := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{http.Client{CheckRedirect: never, Jar: must(cookiejar.New(nil))}}
}

// signIn gives the code that the sign-in page at the address sends back to the app.
func (b *browser) signIn(address string) string {
	answer, text := b.fetch(b.Get(address))
	answer, text = b.submit(answer.Request.URL, text, "password", credentials())
	if answer.StatusCode != http.StatusFound {
		panic(fmt.Errorf("the sign-in page led nowhere: %d %s", answer.StatusCode, text))
	}
	back := must(url.Parse(answer.Header.Get("Location"))).Query()
	if back.Get("code") == "" {
		panic(fmt.Errorf("no code came back: %v", back))
	}
	return back.Get("code")
}

// enterCode signs in a device.
func (b *browser) enterCode(address, code string) {
	answer, text := b.fetch(b.Get(address))
	answer, text = b.submit(answer.Request.URL, text, "user_code", url.Values{"user_code": {code}})
	_, text = b.submit(answer.Request.URL, text, "password", credentials())
	if !strings.Contains(text, "You are signed in") {
		panic(fmt.Errorf("the device is not signed in: %s", text))
	}
}

func credentials() url.Values {
	return url.Values{
		"username": {env("PRESENCED_USER")}, "password": {env("PRESENCED_PASSWORD")}, "sign_in": {"1"},
	}
}

var (
	forms  = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)"[^>]*>(.*?)</form>`)
	hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// submit posts the page's form that has this field.
func (b *browser) submit(page *url.URL, text, having string, fields url.Values) (*http.Response, string) {
	for _, form := range forms.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(form[2], `name="`+having+`"`) {
			continue
		}
		for _, field := range hidden.FindAllStringSubmatch(form[2], -1) {
			fields.Set(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
		}
		return b.fetch(b.PostForm(must(page.Parse(html.UnescapeString(form[1]))).String(), fields))
	}
	panic(fmt.Errorf("no form with %s: %s", having, text))
}

func (b *browser) fetch(answer *http.Response, err error) (*http.Response, string) {
	done(err)
	defer answer.Body.Close()
	return answer, string(must(io.ReadAll(answer.Body)))
}
