// The only module that loads the code of this package. A registry reads logins in no other form.
export { hash } from 'bcryptjs'
